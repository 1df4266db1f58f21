/** Rules about the whole program, checked over its compiled classes. */
package gunyah.load;
