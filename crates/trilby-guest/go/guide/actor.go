package guide

import "trilby.example/guest/actor"

// Temperature asks the actor Thermostat/kitchen.
func Temperature() ([]byte, error) {
	return actor.Invoke("Thermostat", "kitchen", "temperature", nil, nil)
}
