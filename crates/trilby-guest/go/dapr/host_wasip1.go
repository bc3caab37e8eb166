package dapr

//go:wasmimport dapr_v1 call
func hostCall(method, options, request string) int32
