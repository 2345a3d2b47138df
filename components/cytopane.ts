/** Registers every element: the one script a page needs. */
import './define/workbench.ts';
