package guide

import "trilby.example/guest/dapr"

// Reminders asks with ListActorRemindersRequest: field 1 is the actors' type.
func Reminders() ([]byte, error) {
	return dapr.Call("ListActorReminders", []byte("\x0a\x0aThermostat"), nil)
}
