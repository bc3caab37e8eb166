package actor_test

import (
	"fmt"

	"trilby.example/guest/actor"
)

func ExampleInvoke() {
	answer, err := actor.Invoke("Thermostat", "kitchen", "temperature", nil, nil)
	fmt.Println(string(answer), err)
}
