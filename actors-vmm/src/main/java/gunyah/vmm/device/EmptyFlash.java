package gunyah.vmm.device;

/**
 * The flash windows of the virt machine with no chip in them: reads as zero and ignores stores, so that a CFI probe
 * (U-Boot asks at every start) finds nothing instead of taking an abort.
 */
public final class EmptyFlash implements MmioDevice {
    @Override
    public String name() {
        return "empty flash";
    }

    @Override
    public long read(long offset, int size) {
        return 0;
    }

    @Override
    public void write(long offset, int size, long value) {
        // No chip takes it.
    }
}
