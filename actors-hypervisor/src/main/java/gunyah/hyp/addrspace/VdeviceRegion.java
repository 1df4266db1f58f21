package gunyah.hyp.addrspace;

/**
 * IPA range that a device of the hypervisor answers.
 *
 * @param base   first IPA
 * @param size   bytes
 * @param device who answers
 */
public record VdeviceRegion(long base, long size, MmioDevice device) {
    /** {@return whether the IPA lies in the region} */
    public boolean contains(long ipa) {
        return ipa - base >= 0 && ipa - base < size;
    }
}
