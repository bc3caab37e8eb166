package secret

//go:wasmimport dapr_secret_v1 get
func hostGet(store, key, options string) int32

//go:wasmimport dapr_secret_v1 get_bulk
func hostGetBulk(store, options string) int32
