//go:build !wasip1

package secret

import "trilby.example/guest/internal/abi"

func hostGet(store, key, options string) int32 {
	return abi.Call("dapr_secret_v1", "get", store, key, options)
}

func hostGetBulk(store, options string) int32 {
	return abi.Call("dapr_secret_v1", "get_bulk", store, options)
}
