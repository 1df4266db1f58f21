/** The Arm memory model, proved by litmus tests: small programs on several CPUs whose outcomes the model forbids. */
package gunyah.arm64.litmus;
