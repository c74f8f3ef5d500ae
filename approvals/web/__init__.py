"""HTTP: JSON routes and the approver's page. They translate, and decide nothing."""
