package conversation_test

import (
	"fmt"

	"trilby.example/guest/conversation"
)

func ExampleConverse() {
	answer, err := conversation.Converse("model", []byte(`{"inputs": [{"messages": [
		{"ofUser": {"content": [{"text": "What is WebAssembly?"}]}}
	]}]}`))
	fmt.Println(string(answer), err)
}
