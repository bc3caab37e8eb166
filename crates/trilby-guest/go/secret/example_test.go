package secret_test

import (
	"fmt"

	"trilby.example/guest/secret"
)

func ExampleGet() {
	token, err := secret.Get("secrets", "mail-token", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// The text goes where it is needed; printed as it is, a secret does not show it.
	fmt.Println(token, len(token.Text()))
}
