//go:build !wasip1

package configuration

import "trilby.example/guest/internal/abi"

func hostGet(store, options, records string) int32 {
	return abi.Call("dapr_configuration_v1", "get", store, options, records)
}
