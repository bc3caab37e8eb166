package invoke

//go:wasmimport dapr_invoke_v1 call
func hostCall(app, method, options, body string) int32

//go:wasmimport dapr_invoke_v1 open
func hostOpen(app, method, options string) int32
