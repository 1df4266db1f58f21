package gunyah.hyp.memextent;

import gunyah.hyp.addrspace.Addrspace;
import gunyah.hyp.addrspace.PageFlags;

/**
 * The address space slots of one extent: at most four, one per address space unless the same pages are mapped there
 * twice. Guarded by the memory lock.
 */
final class ExtentSlots {
    static final int LIMIT = 4;

    private final MemExtent extent;
    private final Addrspace[] spaces = new Addrspace[LIMIT];
    private final RecordedMappings[] tables = new RecordedMappings[LIMIT];
    private int count;

    ExtentSlots(MemExtent extent) {
        this.extent = extent;
    }

    int count() {
        return count;
    }

    Addrspace space(int slot) {
        return spaces[slot];
    }

    RecordedMappings table(int slot) {
        return tables[slot];
    }

    /** {@return bytes from {@code offset} on, at most {@code limit}, in which no slot's record changes} */
    long piece(long offset, long limit) {
        long length = limit;
        for (int slot = 0; slot < count; slot++) {
            length = Math.min(length, tables[slot].span(offset));
        }
        return length;
    }

    /**
     * Finds the slot for a new mapping: one of the address space whose records in the range are absent or at the same
     * place, or a new one.
     *
     * @return the slot, or -1 when all are taken
     */
    int slotFor(Addrspace addrspace, long offset, long size, long ipa) {
        for (int slot = 0; slot < count; slot++) {
            if (spaces[slot] == addrspace && !conflicts(tables[slot], offset, size, ipa)) {
                return slot;
            }
        }
        if (count == LIMIT) {
            return -1;
        }
        spaces[count] = addrspace;
        tables[count] = new RecordedMappings();
        addrspace.remember(extent);
        return count++;
    }

    /** {@return whether the page is recorded in {@code addrspace} by the very word} */
    boolean has(Addrspace addrspace, long offset, long word) {
        for (int slot = 0; slot < count; slot++) {
            if (spaces[slot] == addrspace && tables[slot].get(offset) == word) {
                return true;
            }
        }
        return false;
    }

    /** {@return whether some page of the range is recorded anywhere} */
    boolean recorded(long offset, long size) {
        for (long at = offset; at < offset + size;) {
            for (int slot = 0; slot < count; slot++) {
                if (tables[slot].get(at) != 0) {
                    return true;
                }
            }
            at += piece(at, offset + size - at);
        }
        return false;
    }

    /** {@return whether some page of the range is recorded as private} */
    boolean recordedPrivate(long offset, long size) {
        for (long at = offset; at < offset + size; at += piece(at, offset + size - at)) {
            for (int slot = 0; slot < count; slot++) {
                if ((tables[slot].get(at) & PageFlags.PRIVATE) != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Takes what {@code kept} records from {@code ipa} on out of other slots of its address space: two records of one
     * mapping would drift apart when its rights change.
     */
    void dropDuplicates(int kept, long offset, long size, long ipa) {
        boolean found = false;
        for (int slot = 0; slot < count; slot++) {
            if (slot == kept || spaces[slot] != spaces[kept]) {
                continue;
            }
            for (long at = 0, length; at < size; at += length) {
                length = Math.min(tables[slot].span(offset + at), size - at);
                long word = tables[slot].get(offset + at);
                if (word != 0 && MemExtent.ipaOf(word) == ipa + at) {
                    tables[slot].clear(offset + at, length);
                    found = true;
                }
            }
        }
        if (found) {
            dropEmpty();
        }
    }

    /** Gives back slots that record nothing. */
    void dropEmpty() {
        for (int slot = count - 1; slot >= 0; slot--) {
            if (tables[slot].isEmpty()) {
                drop(slot);
            }
        }
    }

    /** Forgets everything recorded for an address space. */
    void drop(Addrspace addrspace) {
        for (int slot = count - 1; slot >= 0; slot--) {
            if (spaces[slot] == addrspace) {
                drop(slot);
            }
        }
    }

    private void drop(int slot) {
        Addrspace gone = spaces[slot];
        count--;
        spaces[slot] = spaces[count];
        tables[slot] = tables[count];
        spaces[count] = null;
        tables[count] = null;
        for (int other = 0; other < count; other++) {
            if (spaces[other] == gone) {
                return;
            }
        }
        gone.unremember(extent);
    }

    private static boolean conflicts(RecordedMappings table, long offset, long size, long ipa) {
        for (long at = offset; at < offset + size;) {
            long word = table.get(at);
            if (word != 0 && MemExtent.ipaOf(word) != ipa + (at - offset)) {
                return true;
            }
            at += Math.min(table.span(at), offset + size - at);
        }
        return false;
    }
}
