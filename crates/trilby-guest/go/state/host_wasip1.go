package state

//go:wasmimport dapr_state_v1 get
func hostGet(store, key, options string) int32

//go:wasmimport dapr_state_v1 set
func hostSet(store, key, options, value string) int32

//go:wasmimport dapr_state_v1 delete
func hostDelete(store, key, options string) int32

//go:wasmimport dapr_state_v1 get_bulk
func hostGetBulk(store, options, records string) int32

//go:wasmimport dapr_state_v1 set_bulk
func hostSetBulk(store, options, records string) int32

//go:wasmimport dapr_state_v1 delete_bulk
func hostDeleteBulk(store, options, records string) int32

//go:wasmimport dapr_state_v1 transact
func hostTransact(store, options, records string) int32

//go:wasmimport dapr_state_v1 query
func hostQuery(store, options, query string) int32
