/**
 * What a vCPU is made of: registers ({@link gunyah.arm64.state.CpuState}), the word others poke it through
 * ({@link gunyah.arm64.state.VcpuControl}), what it asks of its owner ({@link gunyah.arm64.state.CpuPort}) and why it
 * stopped ({@link gunyah.arm64.state.CpuExit}). Plain data; the vCPU's thread owns all of it but the control word.
 */
package gunyah.arm64.state;
