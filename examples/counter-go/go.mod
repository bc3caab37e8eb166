module trilby.example/counter

go 1.24
