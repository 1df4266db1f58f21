package gunyah.vmm.share;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A file or folder the guest has looked up. It is found through its parent, so that a renamed folder takes what is in it
 * along, and what was put in its old place is somebody else.
 */
final class FolderNode {
    private final long id;
    private final Map<String, FolderNode> children = new HashMap<>();
    private FolderNode parent;
    private String name;
    private long lookups;

    FolderNode(long id, FolderNode parent, String name) {
        this.id = id;
        this.parent = parent;
        this.name = name;
        if (parent != null) {
            parent.children.put(name, this);
        }
    }

    long id() {
        return id;
    }

    FolderNode child(String childName) {
        return children.get(childName);
    }

    boolean hasChildren() {
        return !children.isEmpty();
    }

    void lookedUp() {
        lookups++;
    }

    /** {@return whether the guest does not know the node any more} */
    boolean forget(long count) {
        lookups = Math.max(0, lookups - count);
        return lookups == 0;
    }

    boolean isForgotten() {
        return lookups == 0;
    }

    FolderNode parent() {
        return parent;
    }

    /** It is not in its place any more; nothing finds it again. */
    void detach() {
        if (parent != null) {
            parent.children.remove(name, this);
            parent = null;
        }
    }

    void move(FolderNode newParent, String newName) {
        detach();
        parent = newParent;
        name = newName;
        newParent.children.put(newName, this);
    }

    /** {@return whether {@code other} is this node or above it} */
    boolean isUnder(FolderNode other) {
        FolderNode node = this;
        while (node != null && node != other) {
            node = node.parent;
        }
        return node == other;
    }

    /** {@return where it is now} @throws FsError ENOENT when it is nowhere */
    Path path(FolderNode root, Path folder) throws FsError {
        if (this == root) {
            return folder;
        }
        if (parent == null) {
            throw new FsError(FsError.ENOENT);
        }
        return parent.path(root, folder).resolve(name);
    }
}
