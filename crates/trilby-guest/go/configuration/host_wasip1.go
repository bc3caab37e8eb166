package configuration

//go:wasmimport dapr_configuration_v1 get
func hostGet(store, options, records string) int32
