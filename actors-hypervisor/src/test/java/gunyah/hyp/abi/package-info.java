/**
 * The hypercall interface from the inside: guest code ({@code src/test/guest/abi.S}) that makes the calls of a table
 * and checks every register. The tables say what the interface promises (Gunyah API document, hyp/interfaces) and are
 * written by hand, not taken from the table that dispatches the calls. Entry types
 * {@link gunyah.hyp.abi.GuestAbiTest} and {@link gunyah.hyp.abi.HostileGuestTest}.
 */
package gunyah.hyp.abi;
