package binding

//go:wasmimport dapr_binding_v1 invoke
func hostInvoke(binding, operation, options, data string) int32
