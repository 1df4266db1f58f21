package gunyah.hyp;

/**
 * What resolving a capability yields, without an allocation: the object, with a reference taken that the caller gives
 * back, or the error that stopped the look-up.
 */
public sealed interface CapResult permits KernelObject, HypError {
}
