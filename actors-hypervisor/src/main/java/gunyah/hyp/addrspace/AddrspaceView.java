package gunyah.hyp.addrspace;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallPort.ExternalAbort;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.util.concurrent.locks.StampedLock;

/**
 * A VM's memory by IPA, for copies made outside guest code: through the stage-2 table, page by page, with EL1 rights.
 * A copy holds the read side of the address space's copy lock, so no page is given to somebody else under it. All or
 * nothing: rights are checked for the whole range first. Thread safe, no allocation.
 */
public final class AddrspaceView {
    private static final long OFFSET = PhysicalMemory.PAGE_SIZE - 1;

    private final Stage2Table stage2;
    private final PhysicalMemory memory;
    private final StampedLock copies;

    AddrspaceView(Stage2Table stage2, PhysicalMemory memory, StampedLock copies) {
        this.stage2 = stage2;
        this.memory = memory;
        this.copies = copies;
    }

    /** {@return OK, ADDR_INVALID (unmapped), DENIED (mapped without R), ADDR_OVERFLOW} Nothing is copied unless OK. */
    public HypError tryRead(long ipa, byte[] target, int offset, int length) {
        long stamp = copies.readLock();
        try {
            HypError error = check(ipa, length, Access.R);
            for (int done = 0; error == HypError.OK && done < length;) {
                int chunk = chunk(ipa + done, length - done);
                long entry = stage2.lookup(ipa + done);
                error = rights(entry, Access.R);
                if (error == HypError.OK) {
                    memory.read(physical(entry, ipa + done), target, offset + done, chunk);
                }
                done += chunk;
            }
            return error;
        } finally {
            copies.unlockRead(stamp);
        }
    }

    /** {@return OK, ADDR_INVALID (unmapped), DENIED (mapped without W), ADDR_OVERFLOW} Nothing is copied unless OK. */
    public HypError tryWrite(long ipa, byte[] source, int offset, int length) {
        long stamp = copies.readLock();
        try {
            HypError error = check(ipa, length, Access.W);
            for (int done = 0; error == HypError.OK && done < length;) {
                int chunk = chunk(ipa + done, length - done);
                long entry = stage2.lookup(ipa + done);
                error = rights(entry, Access.W);
                if (error == HypError.OK) {
                    memory.write(physical(entry, ipa + done), source, offset + done, chunk);
                }
                done += chunk;
            }
            return error;
        } finally {
            copies.unlockRead(stamp);
        }
    }

    /** Reads as Java code of the VM does. @throws ExternalAbort as real hardware on memory that is not there */
    public void read(long ipa, byte[] target, int offset, int length) {
        if (tryRead(ipa, target, offset, length) != HypError.OK) {
            throw new ExternalAbort(firstFault(ipa, length, Access.R));
        }
    }

    /** Writes as Java code of the VM does; as {@link #read}. */
    public void write(long ipa, byte[] source, int offset, int length) {
        if (tryWrite(ipa, source, offset, length) != HypError.OK) {
            throw new ExternalAbort(firstFault(ipa, length, Access.W));
        }
    }

    private HypError check(long ipa, int length, int access) {
        if (length < 0 || Long.compareUnsigned(ipa + length, ipa) < 0) {
            return HypError.ADDR_OVERFLOW;
        }
        if ((ipa & OFFSET) + length <= OFFSET + 1) {
            // one page: the copy loop's own look-up decides
            return HypError.OK;
        }
        for (long at = ipa & ~OFFSET; at < ipa + length; at += PhysicalMemory.PAGE_SIZE) {
            HypError error = rights(stage2.lookup(at), access);
            if (error != HypError.OK) {
                return error;
            }
        }
        return HypError.OK;
    }

    /** Looked at once per page of a copy: an unmap may clear the entry at any moment, but then waits for the copy. */
    private static HypError rights(long entry, int access) {
        if (!Stage2Table.isValid(entry)) {
            return HypError.ADDR_INVALID;
        }
        return Access.allows(Stage2Table.el1Access(entry), access) ? HypError.OK : HypError.DENIED;
    }

    private long firstFault(long ipa, int length, int access) {
        for (long at = ipa; at < ipa + length; at = (at | OFFSET) + 1) {
            if (rights(stage2.lookup(at), access) != HypError.OK) {
                return at;
            }
        }
        return ipa;
    }

    private static long physical(long entry, long ipa) {
        return Stage2Table.pa(entry) | ipa & OFFSET;
    }

    private static int chunk(long ipa, int left) {
        return (int) Math.min(left, OFFSET + 1 - (ipa & OFFSET));
    }
}
