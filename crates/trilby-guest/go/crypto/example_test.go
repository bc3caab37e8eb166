package crypto_test

import (
	"fmt"
	"io"
	"os"

	"trilby.example/guest/crypto"
)

func ExampleEncrypt() {
	options := &crypto.EncryptOptions{Algorithm: "RSA-OAEP-256"}
	envelope, err := crypto.Encrypt("vault", "key", []byte("a secret"), options)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := crypto.Decrypt("vault", "key", envelope)
	fmt.Println(string(text), err)
}

func ExampleDecryptOpen() {
	stream, err := crypto.DecryptOpen("vault", "key")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stream.Close()
	if _, err := io.Copy(stream, os.Stdin); err != nil {
		fmt.Println(err)
		return
	}
	if err := stream.CloseWrite(); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.Copy(os.Stdout, stream); err != nil {
		fmt.Println("not all of it:", err)
	}
}
