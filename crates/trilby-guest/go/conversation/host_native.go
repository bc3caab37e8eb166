//go:build !wasip1

package conversation

import "trilby.example/guest/internal/abi"

func hostConverse(component, options, request string) int32 {
	return abi.Call("dapr_conversation_v1", "converse", component, options, request)
}
