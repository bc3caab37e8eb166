package conversation

//go:wasmimport dapr_conversation_v1 converse
func hostConverse(component, options, request string) int32
