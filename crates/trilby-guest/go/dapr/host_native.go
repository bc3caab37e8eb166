//go:build !wasip1

package dapr

import "trilby.example/guest/internal/abi"

func hostCall(method, options, request string) int32 {
	return abi.Call("dapr_v1", "call", method, options, request)
}
