package metadata

//go:wasmimport dapr_metadata_v1 get
func hostGet(options string) int32

//go:wasmimport dapr_metadata_v1 set
func hostSet(key, value, options string) int32
