//go:build !wasip1

package actor

import "trilby.example/guest/internal/abi"

func hostInvoke(actorType, id, method, options, data string) int32 {
	return abi.Call("dapr_actor_v1", "invoke", actorType, id, method, options, data)
}

func hostGetState(actorType, id, key, options string) int32 {
	return abi.Call("dapr_actor_v1", "get_state", actorType, id, key, options)
}

func hostTransactState(actorType, id, options, records string) int32 {
	return abi.Call("dapr_actor_v1", "transact_state", actorType, id, options, records)
}

func hostRegisterReminder(actorType, id, name, options, data string) int32 {
	return abi.Call("dapr_actor_v1", "register_reminder", actorType, id, name, options, data)
}

func hostGetReminder(actorType, id, name, options string) int32 {
	return abi.Call("dapr_actor_v1", "get_reminder", actorType, id, name, options)
}

func hostUnregisterReminder(actorType, id, name, options string) int32 {
	return abi.Call("dapr_actor_v1", "unregister_reminder", actorType, id, name, options)
}

func hostRegisterTimer(actorType, id, name, options, data string) int32 {
	return abi.Call("dapr_actor_v1", "register_timer", actorType, id, name, options, data)
}

func hostUnregisterTimer(actorType, id, name, options string) int32 {
	return abi.Call("dapr_actor_v1", "unregister_timer", actorType, id, name, options)
}
