// Package crypto encrypts and decrypts with keys that the guest never sees.
package crypto

import "trilby.example/guest/internal/abi"

// EncryptOptions are the options of [Encrypt] and [EncryptOpen].
type EncryptOptions struct {
	// Algorithm wraps the data's own key, and must be there: A256KW, RSA-OAEP-256 and others.
	Algorithm string
	// Cipher encrypts the data: aes-gcm or chacha20-poly1305; Dapr's choice if it is empty.
	Cipher string
	// DecryptionKey is the name of a key that the envelope is to carry; that of the call if empty.
	DecryptionKey string
	// OmitDecryptionKey leaves the name out of the envelope.
	OmitDecryptionKey bool
}

// Encrypt encrypts data into Dapr's envelope.
func Encrypt(component, key string, data []byte, options *EncryptOptions) ([]byte, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	return abi.Whole(hostEncrypt(component, key, block, abi.View(data)))
}

// Decrypt decrypts an envelope with the key named here, not the one that the envelope names.
func Decrypt(component, key string, envelope []byte) ([]byte, error) {
	return abi.Whole(hostDecrypt(component, key, "", abi.View(envelope)))
}

// EncryptOpen begins to encrypt what is then written to the stream.
func EncryptOpen(component, key string, options *EncryptOptions) (*Stream, error) {
	block, err := options.block()
	if err != nil {
		return nil, err
	}
	return open(hostEncryptOpen(component, key, block))
}

// DecryptOpen begins to decrypt the envelope that is then written to the stream.
func DecryptOpen(component, key string) (*Stream, error) {
	return open(hostDecryptOpen(component, key, ""))
}

// Stream takes one text and gives the other. Every byte that it gives is authentic, but only its
// end (io.EOF) says that nothing is missing. Close it.
type Stream struct {
	stream *abi.Stream
	ended  bool
}

// Write sends a part, and waits while the other side is slower.
func (s *Stream) Write(p []byte) (int, error) {
	return s.stream.Write(p)
}

// CloseWrite says that all is written.
func (s *Stream) CloseWrite() error {
	if s.ended {
		return nil
	}
	s.ended = true
	return s.stream.End()
}

// Read reads what the other side gives, and waits until there is some of it.
func (s *Stream) Read(p []byte) (int, error) {
	return s.stream.Read(p)
}

// Close ends the call. What was not read to its end is broken off.
func (s *Stream) Close() error {
	s.ended = true
	return s.stream.Close()
}

func open(result int32) (*Stream, error) {
	stream, err := abi.OpenStream(result)
	if err != nil {
		return nil, err
	}
	return &Stream{stream: stream}, nil
}

func (o *EncryptOptions) block() (string, error) {
	if o == nil {
		return "", nil
	}
	var options abi.Options
	options.Text("algorithm", o.Algorithm)
	options.Text("cipher", o.Cipher)
	options.Text("decryption-key", o.DecryptionKey)
	options.Flag("omit-decryption-key", o.OmitDecryptionKey)
	return options.Block()
}
