package dapr_test

import (
	"fmt"

	"trilby.example/guest/dapr"
)

func ExampleCall() {
	// Field 1 of ListActorRemindersRequest is the type of actor.
	request := append([]byte{0x0a, byte(len("Thermostat"))}, "Thermostat"...)
	answer, err := dapr.Call("ListActorReminders", request, nil)
	fmt.Println(len(answer), err)
}
