//go:build !wasip1

package state

import "trilby.example/guest/internal/abi"

func hostGet(store, key, options string) int32 {
	return abi.Call("dapr_state_v1", "get", store, key, options)
}

func hostSet(store, key, options, value string) int32 {
	return abi.Call("dapr_state_v1", "set", store, key, options, value)
}

func hostDelete(store, key, options string) int32 {
	return abi.Call("dapr_state_v1", "delete", store, key, options)
}

func hostGetBulk(store, options, records string) int32 {
	return abi.Call("dapr_state_v1", "get_bulk", store, options, records)
}

func hostSetBulk(store, options, records string) int32 {
	return abi.Call("dapr_state_v1", "set_bulk", store, options, records)
}

func hostDeleteBulk(store, options, records string) int32 {
	return abi.Call("dapr_state_v1", "delete_bulk", store, options, records)
}

func hostTransact(store, options, records string) int32 {
	return abi.Call("dapr_state_v1", "transact", store, options, records)
}

func hostQuery(store, options, query string) int32 {
	return abi.Call("dapr_state_v1", "query", store, options, query)
}
