module mixerless.example/interop

go 1.24
