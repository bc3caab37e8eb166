package binding_test

import (
	"fmt"

	"trilby.example/guest/binding"
)

func ExampleInvoke() {
	options := &binding.Options{Metadata: map[string]string{"fileName": "report.txt"}}
	answer, err := binding.Invoke("files", "create", []byte("all is well"), options)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", answer.Data)
}
