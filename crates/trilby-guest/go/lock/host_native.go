//go:build !wasip1

package lock

import "trilby.example/guest/internal/abi"

func hostTryLock(store, resource, owner, options string) int32 {
	return abi.Call("dapr_lock_v1", "try_lock", store, resource, owner, options)
}

func hostUnlock(store, resource, owner, options string) int32 {
	return abi.Call("dapr_lock_v1", "unlock", store, resource, owner, options)
}
