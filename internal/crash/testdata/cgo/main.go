// This program dies in C code.
package main

/*
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void segv(void) { volatile int *p = 0; *p = 1; }
static void *own(void *p) { segv(); return p; }
static void thread(void) { pthread_t t; pthread_create(&t, 0, own, 0); sleep(60); }
*/
import "C"

import (
	"os"

	"example.com/slackalert/internal/crash"
	"example.com/slackalert/internal/owned"
)

func main() {
	if _, err := crash.Catch(os.Args[1], owned.Owner{Service: "shop", Run: "one", Build: "1a2b3c4"}); err != nil {
		panic(err)
	}
	switch os.Args[2] {
	case "segv":
		C.segv()
	case "abort":
		C.abort()
	case "thread":
		C.thread()
	}
}
