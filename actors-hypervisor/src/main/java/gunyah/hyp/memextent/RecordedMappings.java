package gunyah.hyp.memextent;

import gunyah.hyp.StateText;
import gunyah.memory.PhysicalMemory;

/**
 * Where an extent is mapped in one address space: page of the extent to IPA and attributes, recorded whether or not
 * the extent owns the page. Shaped like a page table with 1 GiB and 2 MiB blocks, so that recording a whole extent is
 * a few words and a page recorded by demand paging costs eight bytes and no allocation. Guarded by the memory lock.
 *
 * <p>A word is a stage-2 entry that holds the IPA where the physical address would be; 0 = not recorded. In a block the
 * IPA runs along with the offset.
 */
final class RecordedMappings {
    /** Offsets are below this. */
    static final long LIMIT = 1L << 39;

    private static final int FAN_BITS = 9;
    private static final int FAN = 1 << FAN_BITS;
    private static final int TOP_SHIFT = 30;

    private static final class Node {
        private final long[] words = new long[FAN];
        private Node[] children;
    }

    private final Node root = new Node();
    private long pageCount;

    /** {@return the word of the page at {@code offset}, its own IPA in it; 0 when not recorded} */
    long get(long offset) {
        Node node = root;
        for (int shift = TOP_SHIFT;; shift -= FAN_BITS) {
            int index = (int) (offset >>> shift) & FAN - 1;
            Node child = node.children == null ? null : node.children[index];
            if (child == null) {
                long word = node.words[index];
                return word == 0 ? 0 : word + (offset & (1L << shift) - 1);
            }
            node = child;
        }
    }

    /** {@return bytes from {@code offset} on over which {@link #get} is 0 or runs along, at least a page} */
    long span(long offset) {
        Node node = root;
        for (int shift = TOP_SHIFT;; shift -= FAN_BITS) {
            int index = (int) (offset >>> shift) & FAN - 1;
            Node child = node.children == null ? null : node.children[index];
            if (child == null) {
                return (1L << shift) - (offset & (1L << shift) - 1);
            }
            node = child;
        }
    }

    /** Records a range: {@code word} for its first page. */
    void set(long offset, long size, long word) {
        write(root, TOP_SHIFT, offset, size, word);
    }

    void clear(long offset, long size) {
        write(root, TOP_SHIFT, offset, size, 0);
    }

    boolean isEmpty() {
        return pageCount == 0;
    }

    /** Notes what is recorded below {@code size}, one line for what runs along. */
    void describe(StateText text, long size) {
        long first = 0;
        long length = 0;
        long word = 0;
        for (long at = 0, span; at < size; at += span) {
            span = Math.min(span(at), size - at);
            long here = get(at);
            if (length > 0 && here != word + length) {
                text.run("  recorded", first, length, MemExtent.ipaOf(word), MemExtent.bitsOf(word));
                length = 0;
            }
            if (here != 0) {
                first = length == 0 ? at : first;
                word = length == 0 ? here : word;
                length += span;
            }
        }
        if (length > 0) {
            text.run("  recorded", first, length, MemExtent.ipaOf(word), MemExtent.bitsOf(word));
        }
    }

    private void write(Node node, int shift, long offset, long size, long word) {
        long block = 1L << shift;
        long at = offset;
        long end = offset + size;
        while (at < end) {
            int index = (int) (at >>> shift) & FAN - 1;
            long inBlock = at & block - 1;
            long length = Math.min(block - inBlock, end - at);
            long wordHere = word == 0 ? 0 : word + (at - offset);
            if (length == block) {
                replace(node, shift, index, wordHere);
            } else {
                write(split(node, shift, index), shift - FAN_BITS, at, length, wordHere);
            }
            at += length;
        }
    }

    private void replace(Node node, int shift, int index, long word) {
        long pages = 1L << shift - PhysicalMemory.PAGE_SHIFT;
        Node child = node.children == null ? null : node.children[index];
        if (child != null) {
            pageCount -= recorded(child, shift - FAN_BITS);
            node.children[index] = null;
        } else if (node.words[index] != 0) {
            pageCount -= pages;
        }
        node.words[index] = word;
        if (word != 0) {
            pageCount += pages;
        }
    }

    private static Node split(Node node, int shift, int index) {
        if (node.children == null) {
            node.children = new Node[FAN];
        }
        Node child = node.children[index];
        if (child == null) {
            child = new Node();
            long word = node.words[index];
            if (word != 0) {
                for (int i = 0; i < FAN; i++) {
                    child.words[i] = word + ((long) i << shift - FAN_BITS);
                }
            }
            node.words[index] = 0;
            node.children[index] = child;
        }
        return child;
    }

    private static long recorded(Node node, int shift) {
        long pages = 0;
        for (int i = 0; i < FAN; i++) {
            if (node.children != null && node.children[i] != null) {
                pages += recorded(node.children[i], shift - FAN_BITS);
            } else if (node.words[i] != 0) {
                pages += 1L << shift - PhysicalMemory.PAGE_SHIFT;
            }
        }
        return pages;
    }
}
