package invoke_test

import (
	"fmt"
	"io"
	"strings"

	"trilby.example/guest/invoke"
)

func ExampleCall() {
	response, err := invoke.Call("stock", "items/17", nil, &invoke.Options{Verb: "GET"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Close()
	body, err := response.Body()
	fmt.Println(response.Status, response.Get("Content-Type"), len(body), err)
}

func ExampleOpen() {
	request, err := invoke.Open("archive", "files", &invoke.Options{Verb: "PUT"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer request.Cancel()
	if _, err := io.Copy(request, strings.NewReader("as long as it is")); err != nil {
		fmt.Println(err)
		return
	}
	if err := request.Close(); err != nil {
		fmt.Println(err)
		return
	}
	response, err := request.Response()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.Status)
}
