//go:build !wasip1

package metadata

import "trilby.example/guest/internal/abi"

func hostGet(options string) int32 {
	return abi.Call("dapr_metadata_v1", "get", options)
}

func hostSet(key, value, options string) int32 {
	return abi.Call("dapr_metadata_v1", "set", key, value, options)
}
