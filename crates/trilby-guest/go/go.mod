module trilby.example/guest

go 1.24
