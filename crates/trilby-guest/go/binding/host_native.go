//go:build !wasip1

package binding

import "trilby.example/guest/internal/abi"

func hostInvoke(binding, operation, options, data string) int32 {
	return abi.Call("dapr_binding_v1", "invoke", binding, operation, options, data)
}
