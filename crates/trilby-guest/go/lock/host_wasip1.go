package lock

//go:wasmimport dapr_lock_v1 try_lock
func hostTryLock(store, resource, owner, options string) int32

//go:wasmimport dapr_lock_v1 unlock
func hostUnlock(store, resource, owner, options string) int32
