/**
 * The interpreter: {@link gunyah.arm64.interp.CodePage}s of pre-decoded instructions, shared by the CPUs of a domain,
 * and the {@link gunyah.arm64.interp.Interpreter} of each CPU that runs them. Entry type: Interpreter, used by
 * {@link gunyah.arm64.Cpu} on the vCPU's thread. It is the reference of what instructions mean and how they are counted.
 */
package gunyah.arm64.interp;
