package guide

import "trilby.example/guest/conversation"

// Ask gives the answer's JSON.
func Ask() ([]byte, error) {
	return conversation.Converse("model", []byte(`{"inputs": [{"messages": [
		{"ofUser": {"content": [{"text": "What is WebAssembly?"}]}}
	]}]}`))
}
