package actor

//go:wasmimport dapr_actor_v1 invoke
func hostInvoke(actorType, id, method, options, data string) int32

//go:wasmimport dapr_actor_v1 get_state
func hostGetState(actorType, id, key, options string) int32

//go:wasmimport dapr_actor_v1 transact_state
func hostTransactState(actorType, id, options, records string) int32

//go:wasmimport dapr_actor_v1 register_reminder
func hostRegisterReminder(actorType, id, name, options, data string) int32

//go:wasmimport dapr_actor_v1 get_reminder
func hostGetReminder(actorType, id, name, options string) int32

//go:wasmimport dapr_actor_v1 unregister_reminder
func hostUnregisterReminder(actorType, id, name, options string) int32

//go:wasmimport dapr_actor_v1 register_timer
func hostRegisterTimer(actorType, id, name, options, data string) int32

//go:wasmimport dapr_actor_v1 unregister_timer
func hostUnregisterTimer(actorType, id, name, options string) int32
