package gunyah.vmm;

import gunyah.vmm.balloon.GuestPages;
import gunyah.vmm.boot.Ram;
import gunyah.vmm.driver.GuestMemoryFile;
import gunyah.vmm.driver.GunyahError;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The RAM of a VM as its balloon sees it: a page is unmapped, donated back and freed by the host driver (a hole in the
 * memory file), and the guest's next touch of it is a demand fault like the first.
 *
 * @param name   of the VM
 * @param memory what is mapped at the start of {@code ram}
 */
record BalloonedRam(String name, Ram ram, GuestMemoryFile memory) implements GuestPages {
    private static final Logger LOG = LoggerFactory.getLogger(BalloonedRam.class);
    private static final long PAGE_SIZE = 4096;

    @Override
    public boolean reclaim(long gpa) {
        if (gpa < ram.base() || gpa - ram.base() > ram.size() - PAGE_SIZE) {
            return false;
        }
        try {
            memory.punchHole(gpa - ram.base(), PAGE_SIZE);
            return true;
        } catch (GunyahError e) {
            LOG.debug("{}: the page at 0x{} stays: {}", name, Long.toHexString(gpa), e.getMessage());
            return false;
        }
    }
}
