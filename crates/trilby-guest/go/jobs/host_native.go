//go:build !wasip1

package jobs

import "trilby.example/guest/internal/abi"

func hostSchedule(name, options, data string) int32 {
	return abi.Call("dapr_jobs_v1", "schedule", name, options, data)
}

func hostGet(name, options string) int32 {
	return abi.Call("dapr_jobs_v1", "get", name, options)
}

func hostDelete(name, options string) int32 {
	return abi.Call("dapr_jobs_v1", "delete", name, options)
}

func hostList(options string) int32 {
	return abi.Call("dapr_jobs_v1", "list", options)
}
