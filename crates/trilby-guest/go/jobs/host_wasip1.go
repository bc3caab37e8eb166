package jobs

//go:wasmimport dapr_jobs_v1 schedule
func hostSchedule(name, options, data string) int32

//go:wasmimport dapr_jobs_v1 get
func hostGet(name, options string) int32

//go:wasmimport dapr_jobs_v1 delete
func hostDelete(name, options string) int32

//go:wasmimport dapr_jobs_v1 list
func hostList(options string) int32
