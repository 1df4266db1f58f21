package gunyah.vmm.driver;

/**
 * What a platform does beside the hypervisor when memory changes hands (v17 21 and 22/35). One provider for a device;
 * called on the thread that moves the memory, must not call back. A range is in whole pages of the host.
 */
public interface PlatformHooks {
    /** A platform that has nothing to do. */
    PlatformHooks NONE = new PlatformHooks() {
        @Override
        public Errno assign(int vmid, int access, long address, long size) {
            return Errno.OK;
        }

        @Override
        public Errno release(int vmid, int access, long address, long size) {
            return Errno.OK;
        }
    };

    /**
     * Before memory is lent or shared, as a parcel or on demand.
     *
     * @param access what the VM may do: read 4, write 2, execute 1
     * @return OK; anything else keeps the memory with the host
     */
    Errno assign(int vmid, int access, long address, long size);

    /**
     * After memory came back, or when it could not be given.
     *
     * @return OK; after anything else nobody uses the memory again
     */
    Errno release(int vmid, int access, long address, long size);
}
