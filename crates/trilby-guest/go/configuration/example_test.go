package configuration_test

import (
	"fmt"

	"trilby.example/guest/configuration"
)

func ExampleGet() {
	items, err := configuration.Get("settings", []string{"colour"}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	colour, found := items["colour"]
	fmt.Println(colour.Value, found)
}
