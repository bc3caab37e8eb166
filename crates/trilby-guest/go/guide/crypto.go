package guide

import (
	"io"

	"trilby.example/guest/cgi"
	"trilby.example/guest/crypto"
)

// Seal encrypts a text that fits into memory.
func Seal(plain []byte) ([]byte, error) {
	rsa := &crypto.EncryptOptions{Algorithm: "RSA-OAEP-256"}
	return crypto.Encrypt("vault", "customers", plain, rsa)
}

// Unseal decrypts what the client sends.
func Unseal(w *cgi.Response, r *cgi.Request) error {
	stream, err := crypto.DecryptOpen("vault", "customers")
	if err != nil {
		return err
	}
	defer stream.Close()
	if _, err = io.Copy(stream, r.Body); err != nil {
		return err
	}
	if err = stream.CloseWrite(); err != nil {
		return err
	}
	_, err = io.Copy(w, stream)
	return err
}
