package metadata_test

import (
	"fmt"

	"trilby.example/guest/metadata"
)

func ExampleGet() {
	about, err := metadata.Get()
	fmt.Println(string(about), err)
}
