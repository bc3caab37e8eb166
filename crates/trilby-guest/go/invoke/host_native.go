//go:build !wasip1

package invoke

import "trilby.example/guest/internal/abi"

func hostCall(app, method, options, body string) int32 {
	return abi.Call("dapr_invoke_v1", "call", app, method, options, body)
}

func hostOpen(app, method, options string) int32 {
	return abi.Call("dapr_invoke_v1", "open", app, method, options)
}
